import { Global, Module, type DynamicModule, type FactoryProvider } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import { MessageScope } from './dispatch/calls/message-scope.js';
import { LogOutput } from './observability/logs/log-output.js';
import { Logging } from './observability/logs/logging.js';
import { Logs } from './observability/logs/logs.js';
import { PayloadCipher } from './protocol/encryption/payload-cipher.js';
import { HttpPrefix } from './transport/http-prefix.js';

/** Everything that exists before the application. */
export interface Runtime {
  readonly settings: Settings;
  readonly openLogging: () => Logging | Promise<Logging>;
  /** Undefined if nobody needs to know which message a log line is about. */
  readonly scope: MessageScope | undefined;
  /** The prefix of every HTTP path; empty for a server of its own. */
  readonly httpPrefix: string;
}

/** Global: every stage injects the settings that it needs, so that modules need not pass them on. */
@Global()
@Module({})
export class RuntimeModule {
  static of({ settings, openLogging, scope, httpPrefix }: Runtime): DynamicModule {
    return {
      module: RuntimeModule,
      providers: [
        { provide: Settings, useValue: settings },
        { provide: HttpPrefix, useValue: new HttpPrefix(httpPrefix) },
        { provide: Logging, useFactory: openLogging },
        partOfLogging(Logs, ({ logs }) => logs),
        partOfLogging(LogOutput, ({ output }) => output),
        // Factories, because both may be undefined: no key is configured, or nobody needs the scope.
        { provide: MessageScope, useFactory: () => scope },
        { provide: PayloadCipher, useFactory: () => PayloadCipher.of(settings.encryption) },
      ],
      exports: [Settings, HttpPrefix, Logging, Logs, LogOutput, MessageScope, PayloadCipher],
    };
  }
}

function partOfLogging<T>(
  provide: abstract new (...parts: never[]) => T,
  useFactory: (logging: Logging) => T,
): FactoryProvider<T> {
  return { provide, inject: [Logging], useFactory };
}
