import { Global, Module, type DynamicModule, type FactoryProvider } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import { MessageScope } from './dispatch/calls/message-scope.js';
import { LogOutput } from './observability/logs/log-output.js';
import { Logging } from './observability/logs/logging.js';
import { Logs } from './observability/logs/logs.js';
import { PayloadCipher } from './protocol/encryption/payload-cipher.js';
import { HttpPrefix } from './transport/http-prefix.js';

/** What is there before the application is. */
export interface Runtime {
  readonly settings: Settings;
  readonly openLogging: () => Logging | Promise<Logging>;
  /** Undefined where nobody wants to know which message a line is about. */
  readonly scope: MessageScope | undefined;
  /** Before every path of HTTP; empty for a server of its own. */
  readonly httpPrefix: string;
}

/** Global: every stage injects the settings that it needs, so that no module is passed another's. */
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
        // By factories, since both may be undefined: no key is configured, or nobody asks for the scope.
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
