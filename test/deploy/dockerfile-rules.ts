import { copyOf, parseDockerfile, stagesOf, type Instruction } from './dockerfile.js';

type Rule = (instructions: readonly Instruction[]) => boolean;

const of = (instructions: readonly Instruction[], name: string): readonly string[] =>
  instructions.filter((instruction) => instruction.name === name).map(({ rest }) => rest);
const last = (instructions: readonly Instruction[]): readonly Instruction[] =>
  stagesOf(instructions).at(-1)?.instructions ?? [];
const isJsonList = (text: string): boolean => /^\[\s*"/.test(text);
const EXACT_VERSION = /:\d+\.\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?$/;
const SECRET_NAME = /secret|token|password|passphrase|_key\b/i;

/** What the validator of dockerfile-utils does not see: rules of hadolint that concern this file, and ours. True: kept. */
export const DOCKERFILE_RULES: Readonly<Record<string, Rule>> = {
  'every base image is pinned to an exact version': (instructions) => {
    const stages = stagesOf(instructions);
    const names = new Set(stages.map(({ name }) => name));
    return stages.every(({ image }) => names.has(image) || EXACT_VERSION.test(image));
  },
  'stages that are copied from come before': (instructions) => {
    const seen = new Set<string>();
    return stagesOf(instructions).every(({ name, instructions: steps }) => {
      const froms = steps.filter((step) => step.name === 'COPY').map((step) => copyOf(step).from);
      const isKnown = froms.every((from) => from === undefined || seen.has(from));
      seen.add(name);
      return isKnown;
    });
  },
  'nothing is added from the network or unpacked in passing': (instructions) =>
    of(instructions, 'ADD').length === 0 && !of(instructions, 'RUN').some((run) => /\b(curl|wget)\b/.test(run)),
  'no whole folder is copied unseen': (instructions) =>
    instructions.filter(({ name }) => name === 'COPY').every((copy) => !copyOf(copy).sources.includes('.')),
  'packages are installed as the lock file says, and run no scripts': (instructions) =>
    of(instructions, 'RUN').every(
      (run) => !/npm (i|install|update)\b/.test(run) && (!run.includes('npm ci') || run.includes('--ignore-scripts')),
    ),
  'packages of the distribution leave no lists behind': (instructions) =>
    of(instructions, 'RUN').every((run) => !run.includes('apt-get') || run.includes('rm -rf /var/lib/apt/lists')),
  'what it runs with are production dependencies': (instructions) => {
    const froms = last(instructions)
      .filter(({ name }) => name === 'COPY')
      .map(copyOf);
    const stage = froms.find(({ sources }) => sources.some((source) => source.endsWith('node_modules')))?.from;
    const steps = stagesOf(instructions).find(({ name }) => name === stage)?.instructions ?? [];
    return of(steps, 'RUN').some((run) => run.includes('npm ci') && run.includes('--omit=dev'));
  },
  'it runs as a user that is not root, by number': (instructions) =>
    /^[1-9]\d*(:[1-9]\d*)?$/.test(of(last(instructions), 'USER').at(-1) ?? ''),
  'nothing is given to that user': (instructions) =>
    !last(instructions).some(({ rest }) => /--chown|--chmod|\bchown\b|\bchmod\b/.test(rest)),
  'process 1 is an init that passes signals on, and no shell': (instructions) =>
    of(last(instructions), 'ENTRYPOINT').every((entry) => entry.startsWith('["tini", ')) &&
    [...of(last(instructions), 'ENTRYPOINT'), ...of(last(instructions), 'CMD')].every(isJsonList) &&
    of(last(instructions), 'ENTRYPOINT').length === 1,
  'its signal is the one that drains': (instructions) => of(last(instructions), 'STOPSIGNAL').join() === 'SIGTERM',
  'its health is asked for without a shell': (instructions) => {
    const [check = ''] = of(last(instructions), 'HEALTHCHECK');
    return isJsonList(check.replace(/^.*\bCMD /, ''));
  },
  'no secret is baked in': (instructions) =>
    [...of(instructions, 'ENV'), ...of(instructions, 'ARG')].every(
      (text) => !SECRET_NAME.test(text.split('=')[0] ?? ''),
    ),
  'options of Node are left to whoever runs it': (instructions) =>
    of(instructions, 'ENV').every((text) => !text.includes('NODE_OPTIONS')),
};

/** The names of the rules that a Dockerfile breaks. */
export function brokenRules(dockerfile: string): string[] {
  const instructions = parseDockerfile(dockerfile);
  return Object.entries(DOCKERFILE_RULES)
    .filter(([, keeps]) => !keeps(instructions))
    .map(([name]) => name);
}
