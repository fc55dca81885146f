import { Global, Module, type DynamicModule } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import { MessageScope } from './dispatch/message-scope.js';
import { LogOutput } from './observability/logs/log-output.js';
import type { Logging } from './observability/logs/logging.js';
import { Logs } from './observability/logs/logs.js';
import { PayloadCipher } from './protocol/payload-cipher.js';

/** What is there before the application is. */
export interface Runtime {
  readonly settings: Settings;
  readonly logging: Logging;
  /** Undefined where nobody wants to know which message a line is about. */
  readonly scope: MessageScope | undefined;
}

/** Global: every stage injects the settings that it needs, so that no module is passed another's. */
@Global()
@Module({})
export class RuntimeModule {
  static of({ settings, logging, scope }: Runtime): DynamicModule {
    const { logs, output } = logging;
    return {
      module: RuntimeModule,
      providers: [
        { provide: Settings, useValue: settings },
        { provide: Logs, useValue: logs },
        { provide: LogOutput, useValue: output },
        // By factories, since both may be undefined: no key is configured, or nobody asks for the scope.
        { provide: MessageScope, useFactory: () => scope },
        { provide: PayloadCipher, useFactory: () => PayloadCipher.of(settings.encryption) },
      ],
      exports: [Settings, Logs, LogOutput, MessageScope, PayloadCipher],
    };
  }
}
