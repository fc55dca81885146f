import type { Type } from '@nestjs/common';
import { getMetadataStorage } from 'class-validator';
import type { Namespaces } from '../../config/namespaces.js';
import { UnusableSettings } from '../../config/unusable-settings.js';

/** What is published in the channels of a namespace. */
export interface DeclaredPublication {
  readonly namespace: string;
  /** Undefined: anything. */
  readonly data: Type | undefined;
}

/** The part of the settings that names the classes. */
interface ChannelFile {
  readonly namespaces: Namespaces;
  readonly file?: string | undefined;
}

/**
 * The classes that the channels file names.
 *
 * @param preferred looked at before all other message classes of the process
 * @throws UnusableSettings naming every class that is not there, or is there twice
 */
export function publicationClasses(
  { namespaces, file = 'config/channels.yaml' }: ChannelFile,
  preferred: readonly Type[],
): DeclaredPublication[] {
  const faults: string[] = [];
  const publications = [...namespaces.values()].map(({ name, message }): DeclaredPublication => {
    if (message === undefined) return { namespace: name, data: undefined };
    const found = classesNamed(message, preferred);
    if (found.length !== 1) faults.push(`${file}: namespaces.${name}.message ${faultOf(message, found.length)}`);
    return { namespace: name, data: found[0] };
  });
  if (faults.length > 0) throw new UnusableSettings(faults);
  return publications.toSorted((one, other) => (one.namespace < other.namespace ? -1 : 1));
}

function classesNamed(name: string, preferred: readonly Type[]): Type[] {
  const ofApplication = named(name, preferred);
  return ofApplication.length > 0 ? ofApplication : named(name, everyMessageClass());
}

function named(name: string, classes: Iterable<Type>): Type[] {
  return [...new Set(classes)].filter((candidate) => candidate.name === name);
}

function faultOf(name: string, count: number): string {
  return count === 0
    ? `is ${name}, and there is no such message class. Give its fields decorators of class-validator, and import its file from one of your modules`
    : `is ${name}, and ${count} message classes have this name. Rename all but one`;
}

/** class-validator keeps them under their class, and says so nowhere but in its own code. */
function everyMessageClass(): Iterable<Type> {
  const storage = getMetadataStorage() as unknown as { readonly validationMetadatas: ReadonlyMap<Type, unknown> };
  return storage.validationMetadatas.keys();
}
