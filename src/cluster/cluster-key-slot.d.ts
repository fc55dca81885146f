declare module 'cluster-key-slot' {
  /** The hash slot of a key, 0 to 16,383. */
  export default function calculateSlot(key: string): number;
}
