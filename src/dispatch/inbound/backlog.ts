/** Messages of one connection that wait to be handled, oldest first. */
export class Backlog {
  bytes = 0;
  private messages: Buffer[] | undefined;

  get length(): number {
    return this.messages?.length ?? 0;
  }

  add(message: Buffer): void {
    this.messages ??= [];
    this.messages.push(message);
    this.bytes += message.length;
  }

  /** Puts a message back that cannot be handled yet. */
  addFirst(message: Buffer): void {
    this.messages = [message, ...(this.messages ?? [])];
    this.bytes += message.length;
  }

  next(): Buffer | undefined {
    const message = this.messages?.shift();
    this.bytes -= message?.length ?? 0;
    return message;
  }

  /** Returns how many messages were dropped. */
  clear(): number {
    const dropped = this.length;
    this.messages = undefined;
    this.bytes = 0;
    return dropped;
  }
}
