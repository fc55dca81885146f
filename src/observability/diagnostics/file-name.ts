/** Says of which node it is and when it was taken, in order of time. */
export function fileName(nodeId: string, extension: string): string {
  const time = new Date().toISOString().replace(/[:.]/g, '-');
  return `gatehouse-${nodeId}-${time}.${extension}`;
}
