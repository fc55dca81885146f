// Loaded with --import into every Node peer, Gatehouse too: SIGUSR2 forces a collection, so that memory is compared
// after the garbage is gone and not at whatever moment V8 happened to be.
process.on('SIGUSR2', () => globalThis.gc?.());
