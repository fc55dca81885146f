import type { AwsClients } from '../aws/aws-clients.js';
import { Invocation } from '../invocation.js';
import type { FanOutEvent } from '../routes/fan-out-event.js';

/** Invokes this function once more, and does not wait for it. */
export class FunctionInvoker {
  constructor(private readonly clients: AwsClients) {}

  /** Resolves with whether Lambda has taken the event. */
  async invoke(event: FanOutEvent): Promise<boolean> {
    const { functionName, onFailure } = Invocation.current.options;
    if (functionName === undefined) return false;
    try {
      const { InvokeCommand } = await import('@aws-sdk/client-lambda');
      const client = await this.clients.lambda();
      const Payload = Buffer.from(JSON.stringify(event));
      await client.send(new InvokeCommand({ FunctionName: functionName, InvocationType: 'Event', Payload }));
      return true;
    } catch (error) {
      onFailure('an invocation for more receivers', error);
      return false;
    }
  }
}
