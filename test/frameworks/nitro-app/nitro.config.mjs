export default { srcDir: 'server', preset: 'node-server', noExternals: true, compatibilityDate: '2026-01-01' };
