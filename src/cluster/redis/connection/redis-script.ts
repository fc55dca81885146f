import { createHash } from 'node:crypto';

/** A Lua script that Redis keeps by its digest. All its keys are of one hash slot. */
export class RedisScript {
  readonly digest: string;

  constructor(readonly source: string) {
    this.digest = createHash('sha1').update(source).digest('hex');
  }
}
