import { Transform } from 'class-transformer';

/** An integer in a URL. Any other text stays text, which @IsInt refuses. */
export function WholeNumber(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value,
  );
}

/** `true` or `false` in a URL. Any other text stays text, which @IsBoolean refuses. */
export function TrueOrFalse(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value));
}
