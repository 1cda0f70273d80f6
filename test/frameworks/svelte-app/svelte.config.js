import adapter from '@sveltejs/adapter-node';

// Deliveries come from elsewhere, with form bodies too: they are signed, which is what this check is for.
export default { kit: { adapter: adapter(), csrf: { checkOrigin: false } } };
