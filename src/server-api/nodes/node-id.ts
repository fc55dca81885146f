import { Matches } from 'class-validator';

/** The SERVER_ID of a node, in a request. */
export function NodeId(): PropertyDecorator {
  return Matches(/^[\w.-]{1,64}$/, { message: 'nodeId must be the SERVER_ID of a node' });
}
