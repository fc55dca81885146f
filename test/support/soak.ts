/** How many times as much a test does in `npm run test:soak`, where it tries random orders or holds out under many. */
export const SOAK_TIMES = Number(process.env['SOAK_TIMES'] ?? 1);
