import type { BuildOptions } from 'esbuild';

export declare const ENTRIES: readonly string[];
export declare function bundleOptions(home: string): BuildOptions;
