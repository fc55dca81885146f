/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One environment variable: its purpose, and how its text becomes a value. */
export interface Setting<T> {
  readonly env: string;
  /** The text that stands for the default in .env.example; undefined means unset. */
  readonly fallback: string | undefined;
  readonly unit: string;
  /** The effect and, for a number, the meaning of 0. One sentence each. */
  readonly effect: string;
  readonly secret: boolean;
  /** @throws Error whose message says what the value must be */
  readonly parse: (text: string) => T;
}

/** The text of a setting, or its default. An empty value counts as unset. */
export function textOf({ env, fallback }: Setting<unknown>, environment: Environment): string | undefined {
  const given = environment[env]?.trim();
  return given === undefined || given === '' ? fallback : given;
}

interface Description {
  readonly env: string;
  readonly effect: string;
}

interface NumberDescription extends Description {
  readonly fallback: number;
  readonly unit: string;
  readonly min?: number;
  readonly max?: number;
}

export function integer(description: NumberDescription): Setting<number> {
  const { env, effect, fallback, unit, min = 0, max = Number.MAX_SAFE_INTEGER } = description;
  return {
    env,
    effect,
    unit,
    secret: false,
    fallback: String(fallback),
    parse(given) {
      const value = Number(given);
      if (!/^\d+$/.test(given) || value < min || value > max) {
        throw new Error(`must be a whole number from ${min} to ${max === Number.MAX_SAFE_INTEGER ? '2^53 - 1' : max}`);
      }
      return value;
    },
  };
}

/** A timer beyond 2^31 - 1 ms would fire at once, so durations end there. */
export function milliseconds(description: Omit<NumberDescription, 'unit'>): Setting<number> {
  return integer({ max: 2_147_483_647, ...description, unit: 'ms' });
}

export function bytes(description: Omit<NumberDescription, 'unit'>): Setting<number> {
  return integer({ ...description, unit: 'bytes' });
}

export function oneOf<const T extends string>(
  description: Description & { readonly values: readonly T[]; readonly fallback: T },
): Setting<T> {
  const { env, effect, fallback, values } = description;
  return {
    env,
    effect,
    fallback,
    unit: values.join(' | '),
    secret: false,
    parse(given) {
      const value = values.find((candidate) => candidate === given);
      if (value === undefined) throw new Error(`must be one of ${values.join(', ')}`);
      return value;
    },
  };
}

interface TextDescription extends Description {
  readonly unit: string;
  readonly fallback?: string;
  readonly secret?: boolean;
  readonly pattern?: RegExp;
  readonly must?: string;
  /** For rules beyond a pattern. Throws an Error whose message says what the value must be. */
  readonly check?: (value: string) => unknown;
}

/** Text; undefined if the variable is unset and has no default. */
export function optionalText(description: TextDescription): Setting<string | undefined> {
  return { ...text(description), fallback: undefined };
}

export function text(description: TextDescription): Setting<string> {
  const { env, effect, unit, fallback, secret = false, pattern, check, must = 'has an invalid format' } = description;
  return {
    env,
    effect,
    unit,
    secret,
    fallback,
    parse(value) {
      if (pattern && !pattern.test(value)) throw new Error(must);
      check?.(value);
      return value;
    },
  };
}

interface ListDescription extends Description {
  readonly unit: string;
  /** Checks one entry, and describes valid entries. */
  readonly check?: (entry: string) => boolean;
  readonly must?: string;
  /** The largest number of entries. */
  readonly max?: number;
  readonly secret?: boolean;
}

/** A comma-separated list; blanks around entries are ignored. */
export function list(description: ListDescription): Setting<readonly string[]> {
  const { env, effect, unit, check, must, max = Infinity, secret = false } = description;
  return {
    env,
    effect,
    unit,
    fallback: '',
    secret,
    parse(given) {
      const entries = given
        .split(',')
        .map((entry) => entry.trim())
        .filter((entry) => entry !== '');
      if (entries.length > max || (check && !entries.every(check))) throw new Error(must);
      return entries;
    },
  };
}

/**
 * An origin as browsers write it: scheme, host, and a port if it is not the default one. `*` is any, `null` a page from
 * a file.
 */
export function isOrigin(entry: string): boolean {
  if (entry === '*' || entry === 'null') return true;
  return (
    !entry.includes('*') && URL.canParse(entry) && new URL(entry).origin === entry.toLowerCase().replace(/\/$/, '')
  );
}
