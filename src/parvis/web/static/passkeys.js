// Passkeys: forms that carry what the browser's authenticator answers. Without this script the password does.
"use strict";
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const listed = (rows) => (rows || []).map((row) => ({ ...row, id: bytes(row.id) }));

  async function asked(kind, options) {
    const publicKey = { ...options, challenge: bytes(options.challenge) };
    if (kind === "create") {
      publicKey.user = { ...options.user, id: bytes(options.user.id) };
      publicKey.excludeCredentials = listed(options.excludeCredentials);
      return navigator.credentials.create({ publicKey });
    }
    publicKey.allowCredentials = listed(options.allowCredentials);
    return navigator.credentials.get({ publicKey });
  }

  function written(found) {
    const response = { clientDataJSON: text(found.response.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (found.response[name]) response[name] = text(found.response[name]);
    }
    return JSON.stringify({ id: found.id, rawId: text(found.rawId), type: found.type, response, clientExtensionResults: {} });
  }

  if (!window.PublicKeyCredential) return;
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      if (form.elements.credential.value) return;
      event.preventDefault();
      try {
        const found = await asked(form.dataset.passkey, JSON.parse(form.dataset.options));
        form.elements.credential.value = written(found);
        form.submit();
      } catch (error) {
        if (error.name !== "NotAllowedError" && error.name !== "AbortError") throw error;
      }
    });
  }
})();
