import { generateGateway } from './generate-gateway.js';
import { GeneratorError } from './generator-error.js';

const USAGE = `Usage: generate gateway <name>

Adds a folder in src/gateways with a gateway, its messages, its module and its test, and adds the module to the list that
the server loads.
`;

/**
 * `gatehouse generate`, in the working directory.
 *
 * @returns the exit code
 */
export function generate(parameters: readonly string[]): number {
  const [what, name, ...rest] = parameters;
  if (what === '--help') {
    process.stdout.write(USAGE);
    return 0;
  }
  if (what !== 'gateway' || name === undefined || rest.length > 0) {
    process.stderr.write(USAGE);
    return 2;
  }
  try {
    for (const path of generateGateway(process.cwd(), name)) process.stdout.write(`${path}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof GeneratorError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return error.kind === 'usage' ? 2 : 1;
  }
}
