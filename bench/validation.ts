// What the verdict on a valid message costs: the compiled check against class-validator itself.
//
//   npm run prebench && node dist/bench/validation.js
//
// Compiled, and not through tsx: esbuild defines class fields in a way that costs more than the whole check.
import 'reflect-metadata';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Length, Max, Min, ValidateNested } from 'class-validator';
import { compileCheck } from '../src/dispatch/validation/message-check.js';
import { judge } from '../src/dispatch/validation/message-validation.pipe.js';

class Post {
  @IsString()
  @Length(1, 64)
  room!: string;

  @IsString()
  @Length(1, 1_000)
  text!: string;

  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(10)
  priority?: number;
}

class Batch {
  @ValidateNested({ each: true })
  @Type(() => Post)
  posts!: Post[];
}

const payload = { room: 'lobby', text: 'a line of chat', priority: 3 };
const rounds = 100_000;

/** Waits only for what is a promise: the wait would be most of what the compiled check costs. */
async function microseconds(run: () => unknown): Promise<number> {
  let start = 0;
  for (let round = -rounds / 10; round < rounds; round += 1) {
    if (round === 0) start = performance.now();
    const result = run();
    if (result instanceof Promise) await result;
  }
  return ((performance.now() - start) * 1_000) / rounds;
}

async function compare(name: string, messageClass: new () => object, value: Record<string, unknown>): Promise<void> {
  const check = compileCheck(messageClass);
  if (check?.(value) === undefined) throw new Error('the class is not mirrored');
  const compiled = await microseconds(() => check(value));
  const validator = await microseconds(() => judge(messageClass, value));
  const ratio = (validator / compiled).toFixed(1);
  console.log(
    `${name}  compiled ${compiled.toFixed(2)} µs  class-validator ${validator.toFixed(2)} µs  ratio ${ratio}`,
  );
}

await compare('flat  ', Post, payload);
await compare('nested', Batch, { posts: [payload, payload] });
