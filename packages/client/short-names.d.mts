export declare const INTERNAL: readonly string[];
export declare const SHORTENED: RegExp;
export declare function shortNames(folder: string): Record<string, string>;
