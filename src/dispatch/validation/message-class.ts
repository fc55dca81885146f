import type { Type } from '@nestjs/common';
import { getMetadataStorage } from 'class-validator';

/** Whether class-validator has metadata of the class. */
export function isMessageClass(metatype: Type): boolean {
  return getMetadataStorage().getTargetValidationMetadatas(metatype, '', false, false).length > 0;
}
