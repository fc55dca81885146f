import { ownAddress } from '../config/own-address.js';
import { environmentOfProcess } from '../config/process-environment.js';
import { isAlive } from './health/probe.js';

/** Less than the three seconds that deploy/Dockerfile gives it. */
const TIMEOUT_MS = 2_500;

/** What a container's health check runs: exits with 0 where the server of the same settings answers /health, otherwise with 1. */
process.exitCode = (await isAlive(ownAddress(environmentOfProcess()), TIMEOUT_MS)) ? 0 : 1;
