"""From growth to PyTorch: the depth is found here, training goes on there, and the result comes back."""

# %% A network for handwritten digits.
import sys

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

import autogrow

x, y = load_digits(return_X_y=True)
train, test, y_train, y_test = train_test_split(x, y, random_state=0, stratify=y)
quick = "--quick" in sys.argv
model = autogrow.train(train, y_train, epochs=4 if quick else 20)
print(model, f"accuracy {(model.predict(test) == y_test).mean():.4f}")

# %% It is a plain module now. Rows go in as they stand in the table.
network = model.to_torch()
print(network)
given, labels = torch.from_numpy(train), torch.from_numpy(y_train)

# %% Training goes on, with whatever PyTorch has: here label smoothing and AdamW.
network.train()
optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
for epoch in range(3 if quick else 20):
    losses = []
    for batch in torch.randperm(len(given), generator=torch.Generator().manual_seed(epoch)).split(64):
        loss = criterion(network(given[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    print(f"epoch {epoch + 1:>2}  loss {np.mean(losses):.4f}")

# %% Back: the same classes and columns, the new weights.
tuned = model.with_weights(network)
print(f"accuracy {(tuned.predict(test) == y_test).mean():.4f}")
