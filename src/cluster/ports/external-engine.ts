import type { ClusterEngine } from './cluster-engine.js';

/** A port: the host brings its own engine, in place of memory and Redis. May be absent. */
export abstract class ExternalEngine {
  abstract readonly engine: ClusterEngine;
}
