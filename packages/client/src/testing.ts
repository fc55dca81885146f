export { Refusal, TestServer, type TestRequest, type TestServerOptions } from './testing/test-server.js';
export { seededRandom, VirtualClock } from './testing/virtual-clock.js';
