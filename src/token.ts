import { parseArgs } from 'node:util';
import { configurationOfProcess } from '../config/environment.js';
import { TokenMinter } from './authentication/token-minter.js';

const USAGE = `Mints a token that this server accepts (signed with JWT_SECRET, or with the development secret).

  token --sub alice [--roles ADMIN,MEMBER] [--expires 3600]

  --sub       user id
  --roles     comma-separated; default: none
  --expires   seconds; default: 86400
`;

function main(): void {
  const { values } = parseArgs({
    options: {
      sub: { type: 'string' },
      roles: { type: 'string', default: '' },
      expires: { type: 'string', default: '86400' },
      help: { type: 'boolean', default: false },
    },
  });
  const expiresInSeconds = Number(values.expires);
  if (values.help || !values.sub || !(expiresInSeconds > 0)) {
    process.stdout.write(USAGE);
    process.exitCode = values.help ? 0 : 1;
    return;
  }
  const roles = values.roles.split(',').filter((role) => role !== '');
  const minter = new TokenMinter(configurationOfProcess().settings.authentication);
  process.stdout.write(`${minter.mint({ sub: values.sub, roles, expiresInSeconds })}\n`);
}

try {
  main();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
