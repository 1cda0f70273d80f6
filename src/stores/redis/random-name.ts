/** 48 random bits. */
export const randomName = (): string => crypto.randomUUID().replaceAll('-', '').slice(0, 12);
