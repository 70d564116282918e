# One image for every worker; the command names which: `docker run sluice worker detector`.
FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# The lock file names only the platforms that were at hand when it was written, which `npm ci` refuses.
RUN npm install --omit=dev --no-audit --no-fund

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    DATA_DIR=/data
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json Procfile LICENSE ./
COPY bin bin
COPY drizzle drizzle
COPY schema schema
COPY src src
COPY web web
COPY workers workers
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8080
# A worker that does not answer HTTP overrides this (docker-compose.yml: `doctor`).
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT ?? 8080}/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# SIGTERM drains; give it longer than DRAIN_MS before it is killed.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/app/bin/sluice"]
CMD ["worker", "gateway"]
