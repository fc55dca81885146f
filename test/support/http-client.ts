import { request, type IncomingHttpHeaders } from 'node:http';
import { request as secureRequest } from 'node:https';

export interface HttpAsk {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** The certificate that is believed in. */
  readonly ca?: string;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Like fetch, but it takes a certificate, sends a body with any method, and leaves the path as it is. */
export function ask(url: string, { method = 'GET', headers = {}, body, ca }: HttpAsk = {}): Promise<HttpReply> {
  const [, scheme, hostname, port, path] = /^(https?):\/\/([\d.]+):(\d+)(.*)$/.exec(url) ?? [];
  const send = scheme === 'https' ? secureRequest : request;
  return new Promise((resolve, reject) => {
    const options = {
      hostname,
      port,
      path: path || '/',
      method,
      headers,
      agent: false,
      ...(ca !== undefined && { ca }),
    };
    send(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        });
      });
    })
      .on('error', reject)
      .end(body);
  });
}
