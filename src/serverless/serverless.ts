/** The exports of `gatehouse/serverless`: gateways behind API Gateway, without a server. */
import 'reflect-metadata';

export { createHandler, type Handler, type HandlerOptions } from './create-handler.js';
export type { AwsService, AwsServices } from './aws/aws-clients.js';
export type { LambdaContext } from './handler-run.js';
export type { GatewayAnswer } from './routes/gateway-event.js';
export type { Tables } from './tables.js';
