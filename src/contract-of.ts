import type { INestApplication } from '@nestjs/common';
import { ContractBuilder } from './contract/contract-builder.js';
import { contractFilesOf, type ContractFiles } from './contract/contract-files.js';

/**
 * The contract of an application that imports `GatehouseModule`, as the files that `npm run contract` writes: path → text. The
 * application need not listen, and need not be initialized.
 *
 * @throws UnusableSettings where a namespace names a message class that there is not
 */
export async function contractOf(app: INestApplication): Promise<ContractFiles> {
  return contractFilesOf(await app.get(ContractBuilder, { strict: false }).build());
}
