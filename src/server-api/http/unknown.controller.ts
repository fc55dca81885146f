import { All, Req, RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { ApiExcludeController } from '@nestjs/swagger';
import { ApiController } from './api-controller.js';
import { HttpPrefix } from '../../transport/http-prefix.js';
import { ProblemError } from './problem.js';

/** The controllers of the server API. */
export abstract class ApiControllers {
  abstract readonly classes: readonly Type[];
}

interface Route {
  readonly method: string;
  readonly path: RegExp;
}

/** Unknown paths under /api, and known ones with another method. Registered after all other controllers. */
@ApiExcludeController()
@ApiController('Unknown')
export class UnknownController {
  private readonly routes: readonly Route[];

  constructor(
    controllers: ApiControllers,
    private readonly prefix: HttpPrefix,
  ) {
    this.routes = controllers.classes.flatMap(routesOf);
  }

  @All(['/', '*path'])
  answer(@Req() { originalUrl }: { readonly originalUrl: string }): never {
    const path = withoutPrefix(originalUrl.split('?', 1)[0] ?? '', this.prefix.value);
    const methods = this.routes.filter((route) => route.path.test(path)).map(({ method }) => method);
    if (methods.length === 0) throw new ProblemError(404, 'No such endpoint');
    const allowed = methods.includes('GET') ? ['HEAD', ...methods] : methods;
    throw new ProblemError(405, `Only ${allowed.join(', ')}`, { Allow: allowed.join(', ') });
  }
}

/** @returns the path from `/api` on, because a host application may have a global prefix as well */
function withoutPrefix(path: string, prefix: string): string {
  return path.slice(Math.max(0, path.indexOf(`${prefix}/api`)) + prefix.length);
}

function routesOf(controller: Type): readonly Route[] {
  const prototype = controller.prototype as Record<string, object>;
  return Object.getOwnPropertyNames(prototype).flatMap((name) => {
    const path: unknown = Reflect.getMetadata(PATH_METADATA, prototype[name] ?? {});
    const method = Reflect.getMetadata(METHOD_METADATA, prototype[name] ?? {}) as RequestMethod | undefined;
    if (typeof path !== 'string' || method === undefined) return [];
    const pattern = `^/api/${path.replace(/:\w+/g, '[^/]+')}/?$`;
    return [{ method: RequestMethod[method], path: new RegExp(pattern, 'i') }];
  });
}
