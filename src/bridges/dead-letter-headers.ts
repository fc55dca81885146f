/** Headers of dead letters. */
export const REASON_HEADER = 'gatehouse-reason';
/** Kafka: topic, partition and offset of the message. */
export const PLACE_HEADER = 'gatehouse-place';
/** NATS: the subject of the message. */
export const SUBJECT_HEADER = 'gatehouse-subject';
/** The size of the payload that was left out, because the broker does not take it with these headers. */
export const PAYLOAD_BYTES_HEADER = 'gatehouse-payload-bytes';
