import type { DEFINITIONS } from './definitions.js';
import type { Setting } from './setting.js';

type Values<Group> = { readonly [Key in keyof Group]: Group[Key] extends Setting<infer T> ? T : never };
/** The value of every setting, as it stands in the environment. */
export type Parsed = { readonly [Group in keyof typeof DEFINITIONS]: Values<(typeof DEFINITIONS)[Group]> };
