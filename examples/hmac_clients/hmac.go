// Package hmacclient is a client of the HMAC scheme, version 1 (docs/reference/hmac.md): the standard library is enough.
//
//	key := hmacclient.Key{ID: "robot-1", Secret: secret, Hash: sha256.New}
//	request, err := http.NewRequest("POST", "https://api.example/orders?id=7", nil)
//	err = key.Sign(request, []byte(`{"n":1}`))
//	answer, err := http.DefaultClient.Do(request)
package hmacclient

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strings"
	"time"
)

// Key is a registered key; Hash is what it was registered for: sha256.New, sha512.New384 or sha512.New.
type Key struct {
	ID     string
	Secret []byte
	Hash   func() hash.Hash
}

// Authorization is the value of the field.
func (k Key) Authorization(method, authority, target string, body []byte, timestamp int64, nonce string) string {
	sum := sha256.Sum256(body)
	digest := base64.RawURLEncoding.EncodeToString(sum[:])
	mac := hmac.New(k.Hash, k.Secret)
	fmt.Fprintf(mac, "HMAC 1\n%s\n%d\n%s\n%s\n%s\n%s\n%s\n", k.ID, timestamp, nonce, method, strings.ToLower(authority), target, digest)
	signed := base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	return fmt.Sprintf(`HMAC version=1, keyid="%s", timestamp=%d, nonce="%s", digest="%s", mac="%s"`, k.ID, timestamp, nonce, digest, signed)
}

// Sign gives the request its body and its Authorization field.
func (k Key) Sign(request *http.Request, body []byte) error {
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		return err
	}
	authority := request.Host // what net/http sends as Host
	if authority == "" {
		authority = request.URL.Host
	}
	nonce := base64.RawURLEncoding.EncodeToString(random)
	target := request.URL.RequestURI()
	request.Header.Set("Authorization", k.Authorization(request.Method, authority, target, body, time.Now().Unix(), nonce))
	request.ContentLength = int64(len(body))
	request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	request.Body, _ = request.GetBody()
	if len(body) == 0 {
		request.Body = http.NoBody
	}
	return nil
}
