export interface Instruction {
  /** In upper case: FROM, RUN … */
  readonly name: string;
  readonly rest: string;
}

/** What a Dockerfile does, in order; comments are left out, continued lines joined. */
export function parseDockerfile(text: string): Instruction[] {
  const lines = text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.map((line) => {
    const [, name = '', rest = ''] = /^\s*(\w+)\s+(.*)$/.exec(line) ?? [];
    return { name: name.toUpperCase(), rest };
  });
}

interface Stage {
  readonly image: string;
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

/** The stages, each with its instructions; the arguments before the first are resolved. */
export function stagesOf(instructions: readonly Instruction[]): Stage[] {
  const defaults = new Map<string, string>();
  const stages: { image: string; name: string; instructions: Instruction[] }[] = [];
  for (const instruction of instructions) {
    const { name, rest } = instruction;
    const last = stages.at(-1);
    if (name === 'FROM') {
      const [image = '', , alias = ''] = rest.split(/\s+/);
      stages.push({
        image: image.replace(/\$\{(\w+)\}/, (_, key: string) => defaults.get(key) ?? ''),
        name: alias,
        instructions: [],
      });
    } else if (last) last.instructions.push(instruction);
    else if (name === 'ARG') defaults.set(...pair(rest));
  }
  return stages;
}

function pair(text: string): [string, string] {
  const [key = '', value = ''] = text.split('=');
  return [key, value];
}

interface Copy {
  /** The stage that it copies from; undefined: the build context. */
  readonly from: string | undefined;
  readonly sources: readonly string[];
}

export function copyOf({ rest }: Instruction): Copy {
  const words = rest.split(/\s+/);
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
  return { from, sources: words.filter((word) => !word.startsWith('--')).slice(0, -1) };
}
