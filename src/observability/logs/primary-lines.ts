/** What a worker logs about the primary process of its machine. */
export const PRIMARY_LINES = {
  primary_gone: {
    area: 'cluster',
    level: 'warn',
    sentence: 'the primary process does not answer; this worker keeps serving its own clients',
    fields: ['reason'],
  },
  primary_back: { area: 'cluster', level: 'info', sentence: 'the primary process answers again', fields: [] },
} as const;
