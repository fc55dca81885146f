// A back end that Gatehouse asks: it decides who may connect, answers order.place, and prints events. See docs/hooks.md.
//
//	HOOK_SECRET=whsec_… go run examples/backend.go 3000
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

type object = map[string]any

func isGenuine(headers http.Header, body []byte) bool {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(os.Getenv("HOOK_SECRET"), "whsec_"))
	seconds, _ := strconv.ParseInt(headers.Get("webhook-timestamp"), 10, 64)
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.%s", headers.Get("webhook-id"), seconds, body)
	expected, isKnown := "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)), false
	for _, signature := range strings.Fields(headers.Get("webhook-signature")) {
		isKnown = isKnown || hmac.Equal([]byte(signature), []byte(expected))
	}
	return isKnown && time.Since(time.Unix(seconds, 0)).Abs() < 5*time.Minute
}

func answer(kind string, data any) object {
	about, _ := data.(object)
	switch {
	case kind == "connect" && about["user"] == "mallory":
		return object{"deny": object{"code": "FORBIDDEN"}}
	case kind == "message" && about["type"] == "order.place":
		news := object{"to": object{"channel": "feed:orders"}, "type": "order.placed", "data": about["data"]}
		return object{"data": object{"taken": true}, "messages": []object{news}}
	case kind == "message":
		return object{"error": object{"code": "UNKNOWN_ORDER", "message": "There is no such order"}}
	case kind == "events":
		fmt.Println(data)
	}
	return object{}
}

func main() {
	http.ListenAndServe("127.0.0.1:"+os.Args[1], http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		request := object{}
		if !isGenuine(r.Header, body) || json.Unmarshal(body, &request) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		json.NewEncoder(w).Encode(answer(fmt.Sprint(request["type"]), request["data"]))
	}))
}
