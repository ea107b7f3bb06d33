// Passkeys: a form with data-passkey is sent with the answer of the device. It is hidden without
// this script, and in browsers that know no passkeys.

const PROBLEMS = {
  InvalidStateError: "This device has a passkey of yours already.",
  NotAllowedError: "No passkey was used: the device has none for this site, or it was not unlocked.",
  SecurityError: "The browser allows no passkeys at this address.",
};

async function answer(form) {
  const options = JSON.parse(form.dataset.options);
  if (form.dataset.passkey === "create") {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
    return navigator.credentials.create({ publicKey });
  }
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return navigator.credentials.get({ publicKey });
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("button");
  const status = form.querySelector("[role=status]");
  form.parentElement.hidden = false;
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
    button.disabled = true;
    status.textContent = "This browser is too old for passkeys.";
    continue;
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    event.stopPropagation();
    button.disabled = true;
    status.textContent = "";
    try {
      form.elements.credential.value = JSON.stringify(await answer(form));
      form.submit();
    } catch (error) {
      button.disabled = false;
      status.textContent = PROBLEMS[error.name] || `The passkey did not work: ${error.message}`;
    }
  });
}
