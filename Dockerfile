# One image for all services: `spanloom service NAME`, and every other `spanloom` command.

FROM node:24.21.0-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Without install scripts: the only one of use here fetches Node 24, which the base image is.
RUN npm ci --omit=dev --ignore-scripts

FROM node:24.21.0-slim AS page
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY services/console/page ./services/console/page
COPY scripts/build-page.ts ./scripts/build-page.ts
COPY scripts/setup/build-page.ts ./scripts/setup/build-page.ts
RUN node scripts/build-page.ts

FROM node:24.21.0-slim
ENV NODE_ENV=production
# Why: cli/supervisor/supervisor.ts.
ENV MALLOC_ARENA_MAX=2
# Inside a container loopback would be out of everybody's reach; which port is published is up to whoever runs it.
ENV METRICS_HOST=0.0.0.0 METRICS_PORT=9464
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json LICENSE* ./
COPY cli ./cli
COPY lib ./lib
COPY schemas ./schemas
COPY services ./services
COPY --from=page /app/services/console/page/dist ./services/console/page/dist
# Fails the build when something that the command needs was not copied.
RUN node cli/spanloom.js --version
# Where the console keeps its stores. A volume that is mounted there takes these permissions over.
RUN mkdir -p .data && chmod 777 .data
USER node
EXPOSE 9464
# Why the flag: cli/supervisor/supervisor.ts.
ENTRYPOINT ["node", "--max-semi-space-size=4", "cli/spanloom.js"]
CMD ["--help"]
