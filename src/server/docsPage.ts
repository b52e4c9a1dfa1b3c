import swaggerUi from '@fastify/swagger-ui';
import type { App } from './context.js';

/** The page's own sign. */
const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">' +
  '<path fill="#0b665f" d="M16 3l8 4.5v9L16 21l-8-4.5v-9z"/>' +
  '<path fill="#9a4a00" d="M6 24h20v4H6z"/></svg>';
/** The sign with the name beside it. */
const LOGO =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 150 32" height="32"><path fill="#5dd3c5" ' +
  'd="M16 3l8 4.5v9L16 21l-8-4.5v-9z"/><path fill="#ffffff" d="M6 24h20v4H6z"/><text x="38" y="23" fill="#ffffff" ' +
  'font-family="system-ui, sans-serif" font-size="20" font-weight="700">Plinth API</text></svg>';

/** The documentation of the API at `/docs`, under Plinth's own name. */
export async function addDocsPage(app: App): Promise<void> {
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    // Its widgets style themselves; styles can do no harm on a page that shows nothing of users.
    transformStaticCSP: (policy) => policy.replace(/style-src [^;]*/, "style-src 'self' 'unsafe-inline'"),
    logo: { type: 'image/svg+xml', content: Buffer.from(LOGO), href: '../', target: '_self' },
    theme: {
      title: 'Plinth API',
      favicon: [{ filename: 'icon.svg', rel: 'icon', type: 'image/svg+xml', sizes: 'any', content: Buffer.from(ICON) }],
    },
    uiConfig: { deepLinking: true, displayRequestDuration: true, tryItOutEnabled: true },
  });
}
