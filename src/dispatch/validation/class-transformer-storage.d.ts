/** class-transformer publishes the type of its metadata storage, but not under the path of its code. */
declare module 'class-transformer/cjs/storage.js' {
  export { defaultMetadataStorage } from 'class-transformer/types/storage.js';
}
