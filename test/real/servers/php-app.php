<?php
// A PHP application for PHP's own server, to be asked directly and through the relay: its answers depend on the request
// alone. Each path is one thing that PHP sites do.
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);

function as_json($value): void
{
    header('Content-Type: application/json');
    echo json_encode($value, JSON_UNESCAPED_SLASHES);
}

switch ($path) {
    case '/echo':
        $body = file_get_contents('php://input');
        as_json([
            'method' => $_SERVER['REQUEST_METHOD'],
            'get' => $_GET,
            'post' => $_POST,
            'cookies' => $_COOKIE,
            'bytes' => strlen($body),
            'sha256' => hash('sha256', $body),
        ]);
        break;
    case '/upload':
        $files = [];
        foreach ($_FILES as $field => $file) {
            $files[$field] = [$file['name'], $file['type'], $file['size'], hash_file('sha256', $file['tmp_name'])];
        }
        as_json(['post' => $_POST, 'files' => $files]);
        break;
    case '/cookies':
        header('Set-Cookie: one=a%20b; Expires=Sun, 17 Mar 2030 17:46:40 GMT; Path=/; HttpOnly', false);
        setcookie('two', 'x,y', ['samesite' => 'Lax']);
        header('Set-Cookie: three=3', false);
        echo 'three cookies';
        break;
    case '/redirect':
        header('Location: /echo?from=redirect', true, 302);
        break;
    case '/gzip':
        ob_start('ob_gzhandler');
        echo str_repeat("a line that packs well\n", (int) ($_GET['lines'] ?? 500));
        break;
    case '/stream':
        for ($n = 0; $n < 5; $n++) {
            echo str_repeat(chr(97 + $n), 3000), "\n";
            flush();
        }
        break;
    case '/status':
        http_response_code((int) $_GET['code']);
        echo 'as you like';
        break;
    default:
        http_response_code(404);
        echo 'nothing here';
}
