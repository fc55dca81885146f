import { ownAddress } from '../config/own-address.js';
import { environmentOfProcess } from '../config/process-environment.js';
import { isAlive } from './health/probe.js';

/** Less than the three seconds that deploy/Dockerfile allows. */
const TIMEOUT_MS = 2_500;

/**
 * The health check of a container: exits with 0 if the server with the same settings answers /health, otherwise with 1.
 */
process.exitCode = (await isAlive(ownAddress(environmentOfProcess()), TIMEOUT_MS)) ? 0 : 1;
