import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest where nothing is known of earlier runs. A slow file that begins last makes the whole run long. */
const SLOW = [
  'cluster/scenarios/scenarios',
  'docs/commands',
  'package/package',
  'package/create-gatehouse',
  'cluster/scenarios/failover',
  'cluster/follow-channel',
  'deploy/process-one',
  'gateway/process',
  'examples/clients',
  'deploy/behind-proxies',
  'cluster/killed-node',
  'cluster/operators',
  'gateway/terminal',
  'gateway/features-file',
  'leak/connections',
  'leak/addresses',
  'docs/snippets',
  'examples/encrypted-clients',
];

/** Begins with the files that take longest; the rest is in the order that Vitest gives it. */
export class SlowFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rankOf = ({ moduleId }: TestSpecification): number => {
      const rank = SLOW.findIndex((name) => moduleId.includes(`/test/${name}.`));
      return rank === -1 ? SLOW.length : rank;
    };
    return sorted.toSorted((one, other) => rankOf(one) - rankOf(other));
  }
}
