/**
 * The only file that uses Nest's internals: metadata keys, which decorators write and no public API reads, and the host
 * for filters. Nest's versions are pinned, and test/gateway/nest-*.spec.ts notice a change.
 */
export {
  CUSTOM_ROUTE_ARGS_METADATA,
  EXCEPTION_FILTERS_METADATA,
  GUARDS_METADATA,
  INTERCEPTORS_METADATA,
  normalizePath,
  PIPES_METADATA,
  ROUTE_ARGS_METADATA,
} from '@nestjs/common/internal';
export { ExecutionContextHost } from '@nestjs/core/internal';
export {
  GATEWAY_METADATA,
  GATEWAY_OPTIONS,
  GATEWAY_SERVER_METADATA,
  MESSAGE_MAPPING_METADATA,
  MESSAGE_METADATA,
} from '@nestjs/websockets/internal';

/** The keys of @nestjs/websockets' parameter decorators. */
export const PARAMETER = { socket: 0, payload: 3, ack: 13 } as const;
