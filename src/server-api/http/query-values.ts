import { Transform } from 'class-transformer';

/** A whole number in a URL. Anything else stays text, and is refused by @IsInt. */
export function WholeNumber(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value,
  );
}

/** `true` or `false` in a URL. Anything else stays text, and is refused by @IsBoolean. */
export function TrueOrFalse(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value));
}
