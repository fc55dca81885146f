# The image of an edge node: that of the server, with the store and the client library that an edge node needs. Build both
# from the root of the repository, the server first:
#   docker build -f deploy/Dockerfile -t gatehouse:0.1.0 .
#   docker build -f deploy/edge.Dockerfile -t gatehouse-edge:0.1.0 .

ARG BASE_IMAGE=node:24.19.0-bookworm-slim
ARG GATEHOUSE_IMAGE=gatehouse:0.1.0

FROM ${BASE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/protocol/package.json packages/protocol/package.json
COPY packages/client/package.json packages/client/package.json
# The native code of the store comes compiled in its package.
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY packages/client/build.mjs packages/client/bundle.mjs packages/client/short-names.mjs packages/client/tsconfig.build.json packages/client/
COPY packages/protocol/src packages/protocol/src
COPY packages/client/src packages/client/src
RUN npm run build -w @gatehouse/client && rm -r packages/client/dist/types
# classic-level and all that it needs.
RUN mkdir -p edge/@gatehouse/client \
  && cp -r packages/client/package.json packages/client/dist edge/@gatehouse/client/ \
  && for name in classic-level abstract-level base64-js buffer ieee754 is-buffer level-supports level-transcoder maybe-combine-errors module-error napi-macros node-gyp-build; \
    do cp -r "node_modules/$name" edge/; done

FROM ${GATEHOUSE_IMAGE}
COPY --from=packages /app/edge node_modules
# The one folder that the server writes to. A volume that is mounted there gets its owner.
USER root
RUN install -d -o 1000 -g 1000 /var/lib/gatehouse
USER 1000:1000
ENV EDGE_DIR=/var/lib/gatehouse
