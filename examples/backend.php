<?php

// A back end that Gatehouse asks: it decides who may connect, answers order.place, and prints events. See docs/hooks.md.
//
// HOOK_SECRET=whsec_… php -S 127.0.0.1:3000 examples/backend.php

const MAX_AGE = 300; // seconds

function isGenuine(string $body): bool
{
    $key = base64_decode(substr(getenv('HOOK_SECRET'), strlen('whsec_')));
    $id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
    $timestamp = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    if ($id === '' || abs(time() - (int) $timestamp) > MAX_AGE) {
        return false;
    }
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
    foreach (explode(' ', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '') as $signature) {
        if (hash_equals($expected, $signature)) {
            return true;
        }
    }
    return false;
}

function answer(string $type, mixed $data): array
{
    if ($type === 'connect' && $data->user === 'mallory') {
        return ['deny' => ['code' => 'FORBIDDEN']];
    }
    if ($type === 'message' && $data->type === 'order.place') {
        $news = ['to' => ['channel' => 'feed:orders'], 'type' => 'order.placed', 'data' => $data->data];
        return ['data' => ['taken' => true], 'messages' => [$news]];
    }
    if ($type === 'message') {
        return ['error' => ['code' => 'UNKNOWN_ORDER', 'message' => 'There is no such order']];
    }
    foreach ($type === 'events' ? $data : [] as $event) {
        file_put_contents('php://stdout', "$event->type " . json_encode($event->data) . "\n");
    }
    return [];
}

$body = file_get_contents('php://input');
if (!isGenuine($body)) {
    http_response_code(401);
    exit;
}
$request = json_decode($body);
header('Content-Type: application/json');
$answer = answer($request->type, $request->data);
// An empty array would be written as a list.
echo json_encode($answer ?: new stdClass());
