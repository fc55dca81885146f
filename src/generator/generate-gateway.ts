import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { withModule } from './feature-list.js';
import { gatewayFiles } from './gateway-files.js';
import { gatewayName } from './gateway-name.js';
import { GeneratorError } from './generator-error.js';
import { layoutOf } from './project.js';

/**
 * Adds a gateway with messages, module and test to a project, and its module to the list that the server loads. Nothing is
 * written unless everything can be.
 *
 * @param root the folder of the project
 * @returns the paths that were written, relative to the root
 * @throws GeneratorError if the name is invalid or taken, or the folder is no project of Gatehouse
 */
export function generateGateway(root: string, name: string): readonly string[] {
  const names = gatewayName(name);
  const layout = layoutOf(root);
  const files = gatewayFiles(names, layout);
  const taken = [`${layout.gateways}/${names.file}`, ...files.keys()].find((path) => existsSync(join(root, path)));
  if (taken !== undefined)
    throw new GeneratorError(`${taken} exists already. Choose another name, or remove it`, 'project');
  const list = withModule(readFileSync(join(root, layout.list), 'utf8'), layout.list, {
    className: `${names.className}Module`,
    path: `${layout.gatewaysFromList}/${names.file}/${names.file}.module.js`,
  });
  for (const [path, text] of [...files, [layout.list, list] as const]) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return [...files.keys(), layout.list];
}
