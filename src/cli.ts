#!/usr/bin/env node
const USAGE = `Usage: gatehouse <command>

  start                     start the server with the settings of .env and the environment
  token --sub alice         print a token that this server accepts; --roles A,B, --expires 3600
  generate gateway <name>   add a gateway with messages, module and test to this project
  postgres-schema           print the SQL of the outbox
  contract                  write the messages of this server to contract/; --check compares, --out names the folder

Exit codes: 0 done, 1 failed, 2 wrong usage.
`;

const [command, ...parameters] = process.argv.slice(2);

// Each command is loaded only when needed: `start` must listen for signals before anything else is loaded.
if (command === 'start' && parameters.length === 0) await import('./main.js');
else if (command === 'token' || command === 'contract') {
  // They are programs of their own, and read what follows.
  process.argv.splice(2, 1);
  await (command === 'token' ? import('./token.js') : import('./contract.js'));
} else if (command === 'generate') {
  const { generate } = await import('./generator/generate.js');
  process.exitCode = generate(parameters);
} else if (command === 'postgres-schema' && parameters.length === 0) await import('./postgres-schema.js');
else if (command === '--help' || command === 'help') process.stdout.write(USAGE);
else {
  process.stderr.write(
    command === undefined ? USAGE : `There is no command "${[command, ...parameters].join(' ')}".\n\n${USAGE}`,
  );
  process.exitCode = 2;
}
