# syntax=docker/dockerfile:1
# Plinth's service with a software Vulkan driver inside: it runs on any machine, and on the GPU of one that hands it in.
#   docker build -t plinth .
#   docker run --rm -p 127.0.0.1:7878:7878 -v plinth:/data -e PLINTH_AUTH_MODE=off -e PLINTH_AUTH_ALLOW_OPEN=true plinth
# docs/deployment.md has the rest.

FROM node:24-trixie-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/build.mjs scripts/
COPY src src
COPY web web
RUN node scripts/build.mjs && find dist -name '*.map' -delete

FROM node:24-trixie-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Native parts for other systems, and what is never loaded, would more than double the size.
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev \
 && find node_modules/webgpu/dist -mindepth 1 -maxdepth 1 ! -name "linux-$(node -p process.arch)" -exec rm -r {} + \
 && rm -rf node_modules/koffi/vendor node_modules/koffi/doc \
 && find node_modules \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' \) -type f -delete

FROM debian:trixie-slim
# mesa-vulkan-drivers: the software driver, AMD's and Intel's. The others are what NVIDIA's driver, which its container toolkit brings,
# is linked with; libatomic1 and libstdc++6 are Node's. tini hands signals on from the first moment, before Node listens to any.
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      libvulkan1 mesa-vulkan-drivers libegl1 libglvnd0 libx11-6 libxext6 libatomic1 libstdc++6 tini \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 1000 plinth \
 && useradd --uid 1000 --gid plinth --home-dir /data --no-create-home --shell /usr/sbin/nologin plinth \
 && install -d -o plinth -g plinth /data \
 && ln -s /app/bin/plinth.js /usr/local/bin/plinth
COPY --from=node:24-trixie-slim /usr/local/bin/node /usr/local/bin/node
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json LICENSE NOTICE README.md ./
COPY bin bin
COPY examples/captures examples/captures
COPY --from=build /app/dist dist

# Drivers keep their shader caches below HOME: in the volume, since all else may be read-only.
ENV NODE_ENV=production HOME=/data PLINTH_DATA=/data PLINTH_HOST=0.0.0.0 PLINTH_PORT=7878
VOLUME /data
EXPOSE 7878
USER 1000:1000
# Two failures in a row: a dead driver shows within half a minute.
HEALTHCHECK --start-period=180s --start-interval=2s --interval=10s --timeout=12s --retries=2 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PLINTH_PORT}/health/ready`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
LABEL org.opencontainers.image.title="Plinth" \
      org.opencontainers.image.description="From pictures of an object to a measured, textured 3D asset" \
      org.opencontainers.image.licenses="Apache-2.0"
# Stopped while it starts it has ended cleanly: 143 becomes 0.
ENTRYPOINT ["tini", "-e", "143", "--", "plinth"]
CMD ["serve"]
